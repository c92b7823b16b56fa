"""What every connector is made with: the contract, the errors, the door to the network."""
