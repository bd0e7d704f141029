"""Pages to send and to read: what `cnncalc report` writes."""
