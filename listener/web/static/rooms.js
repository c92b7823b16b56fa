// On a narrow screen the rooms scroll sideways: show the one that we are in.
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
