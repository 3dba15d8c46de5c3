require ["foreverypart","mime","fileinto","variables"];
foreverypart { if exists :mime "subject" { fileinto "one"; } }
