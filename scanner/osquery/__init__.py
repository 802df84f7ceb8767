"""Tables for osquery: what they hold (`tables`), and the process that serves them (`extension`)."""
