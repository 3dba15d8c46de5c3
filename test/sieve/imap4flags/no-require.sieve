keep :flags "$A";
