if header :contains ["subject","x"] "zzz" { keep; } elsif size :over 1 { discard; }
