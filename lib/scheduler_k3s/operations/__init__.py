"""The use cases: each public function is what one trigger or subcommand does."""
