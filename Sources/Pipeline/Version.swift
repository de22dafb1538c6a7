/// Ingot's own version.
package let ingotVersion = "0.1.0"
