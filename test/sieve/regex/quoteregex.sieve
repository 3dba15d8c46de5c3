require ["regex","variables"]; set :quoteregex "q" "$ 100"; if header :regex "subject" "${q}$" { discard; }
