require "ihave"; fileinto "A";
