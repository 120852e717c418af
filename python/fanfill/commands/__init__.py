"""The sub-commands of the command line, one module each with `add_arguments(parser)` and `run(arguments)`.

It must not import any of them: a command is loaded when it is asked for.
"""
