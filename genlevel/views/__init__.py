"""What pages, reports and notebooks show: pictures as SVG, tables, and the parts of templates that they share. Values in, text out."""
