"""The kinds of value that may travel (`values`), and masks that are spent once (`masks`). Pure."""
