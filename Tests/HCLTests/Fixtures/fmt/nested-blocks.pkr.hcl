build{
name="image"
sources=["source.qemu.debian"]
provisioner "shell"{
inline=["true"]
override={
qemu={
inline=["false"]
}
}
}
post-processors{
post-processor "compress"{}
post-processor   "manifest"   {
output="manifest.json"
}
}
}
