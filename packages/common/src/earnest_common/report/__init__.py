"""What the packages show: figures and sections of the report."""
