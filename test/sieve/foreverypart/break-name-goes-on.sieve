require ["foreverypart","mime","fileinto","variables"];
foreverypart :name "out" { foreverypart { break :name "out"; } }
fileinto "after";
