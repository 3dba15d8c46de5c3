if false { keep; } elsif true { discard; } elsif true { keep; } else { keep; }
