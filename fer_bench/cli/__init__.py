"""The command line: an app, and a file a command."""
