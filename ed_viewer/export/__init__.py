"""Export of the stage: pictures, movies, and the arrays behind them."""
