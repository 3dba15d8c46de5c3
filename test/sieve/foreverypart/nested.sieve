require ["foreverypart","mime","fileinto","variables"];
foreverypart {
  if header :mime :subtype "content-type" "alternative" {
    set "n" "";
    foreverypart { set "n" "${n}x"; }
    fileinto "${n}";
  }
}
