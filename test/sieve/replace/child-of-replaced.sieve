require ["foreverypart","mime","replace"];
foreverypart {
  if header :mime :subtype "content-type" ["alternative","html"] { replace "x"; }
}
