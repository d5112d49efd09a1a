"""Agreement of SV6D segments: of two sets, and of several samples by one author."""
