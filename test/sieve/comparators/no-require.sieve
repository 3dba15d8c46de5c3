if header :comparator "i;ascii-numeric" "x-number" "42" { keep; }
