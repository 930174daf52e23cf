"""The daily report: what the apps above tell of a place's day, and how it is shown, drawn and said."""
