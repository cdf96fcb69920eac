"""The part of the shell's language that makes words, as bash has it; no command is ever run."""
