"""What goes between parties, one file a protocol: the party's side, and the dealer's next to it.

Read `private_matrix` first: the module's text gives the equation, functions follow it line by line, and every
line that talks is a call of the session. docs/protocols has a page for each larger protocol.

    learns           every kind of value that a node may learn; nothing else can be disclosed
    randomness       the door through which masks and correlations come
    dealing          its provider of assisted mode: a helper that deals
    psi              which enterprises all parties hold

    on shares        joint_columns, private_matrix, squares, products, truncation, sigmoid, lookup,
                     weighted_gram, inverse, masked_sum
    on shared bits   all_bits, leaf_sum (leaf_terms)
    on ciphertexts   label_counts (bins, shuffled_bins), split_sums (candidates, split_layout)

The sections of a protocol's docstring are Shapes, Rounds, Sends, Reveals, Assumes, Source and Raises; tests
count rounds and bytes. Nothing here knows a contract, a file or a log.
"""
