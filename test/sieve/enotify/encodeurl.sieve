require ["enotify","variables","fileinto"]; set :encodeurl "u" "a b&ü/*"; fileinto "${u}";
