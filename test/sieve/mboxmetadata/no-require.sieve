if metadata "A" "/x" "y" { keep; }
