require "reject"; reject "No, thank you.";
