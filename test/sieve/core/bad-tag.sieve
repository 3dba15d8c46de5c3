if header :contain "from" "x" { keep; }
