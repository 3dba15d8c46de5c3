if header "a" "b" :contains { keep; }
