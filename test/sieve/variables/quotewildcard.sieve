require ["variables","fileinto"];
set :quotewildcard "a" "*"; if header :matches "x-spam-level" "${a}" { discard; } else { fileinto "${a}"; }
