enclose "x";
