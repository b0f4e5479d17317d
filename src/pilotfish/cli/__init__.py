"""The command line: parses, explains, and hands over to a shell."""
