"""The database: plain values in and out, never a row past this folder."""
