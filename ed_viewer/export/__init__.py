"""Take away what is on show: pictures, movies of the scrub, and the arrays behind it."""
