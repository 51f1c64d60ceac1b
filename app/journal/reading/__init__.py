"""What pages, metrics and commands show: questions to the journal that change nothing, each bounded."""
