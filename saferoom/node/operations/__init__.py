"""What people can ask of a node on its own machine: the verbs of the administration socket.

Each file holds the verbs of one noun; `roles` says which nouns a party has, and which a coordinator.

To add a verb, write a method in the noun that it is about:

    class Models(Noun[Party]):
        @verb("model.weigh")
        def weigh(self, args: Plain) -> Plain:
            \"\"\"How large a model is, in bytes.\"\"\"
            row, folder = find_model(self.core, args)
            return {"id": row["id"], "bytes": sum(file.stat().st_size for file in folder.iterdir())}

It takes plain arguments (`argument` fetches one that must be there) and returns the answer; a method that
yields gives a stream, whose last item is the answer. What only a running daemon can do goes through
`self.running()`. A new noun is a class of its own and one more entry in `roles`. A verb that does one thing
at a party and another at the coordinator is declared in two classes, one for each role.

Then add its name to the lists in the unit tests, and a command to `saferoom.cli` that asks for it.
"""
