require ["foreverypart","mime","fileinto","variables"];
foreverypart :name "out" {
  foreverypart { fileinto "inner"; break :name "out"; }
  fileinto "never";
}
