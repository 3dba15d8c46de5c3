require ["enclose","foreverypart","mime","fileinto"]; enclose "x"; foreverypart { if header :mime :contenttype "content-type" "message/rfc822" { fileinto "in"; } }
