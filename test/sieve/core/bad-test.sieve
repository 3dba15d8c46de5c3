if adress "from" "x" { keep; }
