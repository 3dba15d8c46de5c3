if size :over 32 { discard; } elsif size :under 32 { discard; }
