require ["foreverypart","mime","fileinto","variables"];
foreverypart { foreverypart { foreverypart { foreverypart { keep; } } } }
