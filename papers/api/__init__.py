"""The JSON API of papers and topics."""
