fileint "a";
if headr "a" "b" { kep; }
redirect "x";
