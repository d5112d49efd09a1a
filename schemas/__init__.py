"""The vocabulary: frozen records, their Arrow schemas, and taxonomies as data."""
