require "reject"; reject;
