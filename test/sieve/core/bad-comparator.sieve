if header :comparator "i;klingon" "a" "b" { keep; }
