if true { stop; } discard;
