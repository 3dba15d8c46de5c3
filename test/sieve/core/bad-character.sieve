keep; § keep;
