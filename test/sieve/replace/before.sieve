require ["replace","fileinto"]; fileinto "A"; replace "x"; fileinto "B";
