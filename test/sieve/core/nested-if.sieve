if true { if false { keep; } } else { keep; } if false { keep; } else { discard; }
