require ["editheader","fileinto"]; fileinto "A"; addheader "X-New" "v"; fileinto "A";
