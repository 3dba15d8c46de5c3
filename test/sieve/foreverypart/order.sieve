require ["foreverypart","mime","fileinto","variables"];
set "all" "";
foreverypart {
  if header :mime :contenttype :matches "content-type" "*" { set "all" "${all},${1}"; }
}
fileinto "${all}";
